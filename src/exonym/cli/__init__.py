"""The command line. Composition only: every command is a few calls that Python users can make."""


def main() -> None:
    """Run the ``exonym`` command."""
    from exonym.cli.app import run

    run()
