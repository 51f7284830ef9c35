"""``python -m igmc``: the same as the command ``igmc``."""

from igmc.cli.main import main

if __name__ == "__main__":
    main()
