from deepslate import flow


def read(path: str) -> str:
    with open(path) as file:
        return file.read()


def first_line(path: str) -> str:
    return read(path).split("\n")[0]


def untyped(x):
    return x


@flow
async def main(path: str) -> str:
    untyped(1)
    return first_line(path)
