"""What Flask-Security's pages may do, where they are, and what they say; everything not named here stays off."""

from datetime import timedelta

SIGN_IN_PAGES = {
    "SECURITY_URL_PREFIX": "/desk",
    "SECURITY_LOGIN_URL": "/sign-in",
    "SECURITY_LOGOUT_URL": "/sign-out",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_RESET_URL": "/password/forgotten",
    "SECURITY_CHANGE_URL": "/password/change",
    "SECURITY_RECOVERABLE": True,
    "SECURITY_CHANGEABLE": True,
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=4),
    "SECURITY_AUTO_LOGIN_AFTER_RESET": False,
    "SECURITY_POST_LOGIN_VIEW": "/desk/",
    "SECURITY_POST_LOGOUT_VIEW": "/desk/sign-in",
    "SECURITY_POST_RESET_VIEW": "/desk/sign-in",
    "SECURITY_POST_CHANGE_VIEW": "/desk/account",
    "SECURITY_PASSWORD_LENGTH_MIN": 12,
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_DEFAULT_REMEMBER_ME": False,
    "SECURITY_EMAIL_PLAINTEXT": False,  # the outbox renders, when the mail leaves
    "SECURITY_EMAIL_HTML": False,
    "SECURITY_EMAIL_TEMPLATE_PASSWORD_RESET_NOTICE": "emails/password_changed",
    "SECURITY_EMAIL_TEMPLATE_PASSWORD_CHANGE_NOTICE": "emails/password_changed",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE": "Your helpdesk password was changed",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": "Your helpdesk password was changed",
    "SECURITY_MSG_PASSWORD_RESET_REQUEST": (
        "If there is an account with this address, a mail with a link is on its way.",
        "done",
    ),
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("This address and password do not belong together.", "error"),
    "SECURITY_MSG_INVALID_RESET_PASSWORD_TOKEN": (
        "That link was used before, or is not whole. Ask for a new one here.",
        "error",
    ),
    "SECURITY_MSG_PASSWORD_RESET_EXPIRED": ("That link has run out. Ask for a new one here.", "error"),
    "SECURITY_MSG_PASSWORD_RESET_NO_LOGIN": ("The new password is kept. Sign in with it.", "done"),
    "SECURITY_MSG_PASSWORD_CHANGE": ("Your password is changed. Other devices are signed out.", "done"),
    "SECURITY_MSG_PASSWORD_IS_THE_SAME": ("Choose another password than the one you have.", "error"),
    "SECURITY_MSG_RETYPE_PASSWORD_MISMATCH": ("The two are not the same.", "error"),
    "SECURITY_MSG_INVALID_PASSWORD": ("That is not your password.", "error"),
    "SECURITY_MSG_PASSWORD_INVALID_LENGTH": ("Use at least %(length)s characters.", "error"),
    "SECURITY_MSG_REAUTHENTICATION_SUCCESSFUL": ("Thank you. Go on.", "done"),
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "SECURITY_BACKWARDS_COMPAT_AUTH_TOKEN": False,
    "SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS": False,
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_CHANGE_EMAIL": False,
    "SECURITY_JOIN_USER_ROLES": False,  # our roles are no table
}
