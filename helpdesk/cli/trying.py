"""`helpdesk demo`: the desk with a sample publication."""

from pathlib import Path

import click

from helpdesk.demo.running import DEMO_DATA, MAIL_PORT, WEB_PORT, run_demo
from helpdesk.logs import write_logs


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=DEMO_DATA, show_default=True,
              help="Where the sample desk keeps its data.")  # fmt: skip
@click.option("--port", default=WEB_PORT, show_default=True, help="Port of the desk; the next free one when taken.")
@click.option("--mail-port", default=MAIL_PORT, show_default=True, help="Port of the caught mail; likewise.")
def demo(data_dir: Path, port: int, mail_port: int) -> None:
    """Try it with a sample publication.

    Starts a desk and a mail server that keeps all mail on this machine. Nothing needs to be set up.
    """
    write_logs("auto", level="warning")
    run_demo(data_dir, web_port=port, mail_port=mail_port)
