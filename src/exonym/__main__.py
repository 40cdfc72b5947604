"""``python -m exonym``."""

from exonym.cli import main

if __name__ == "__main__":
    main()
