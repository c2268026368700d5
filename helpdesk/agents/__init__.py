"""The staff: accounts, roles and what each role may do, and where each person is signed in."""
