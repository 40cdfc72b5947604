"""The command line. Composition only: every command is a few calls that Python users can make."""

import sys


def main() -> None:
    """Run the ``exonym`` command."""
    try:
        from exonym.cli.app import run
    except KeyboardInterrupt:  # before there is anyone else to catch it
        print("exonym: interrupted", file=sys.stderr)
        sys.exit(130)
    run()
