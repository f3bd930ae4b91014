import click


@click.group()
def cli() -> None:
    """placeholder"""


main = cli
