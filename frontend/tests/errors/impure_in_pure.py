from deepslate import dpslio, flow, impure, pure, sleep


@impure
def insert(name: str) -> None:
    pass


@pure
def slow(name: str) -> str:
    sleep(1.0)
    insert(name)
    lock = dpslio.Lock()
    return name


@pure
def spoil(xs: list[int]) -> int:
    xs.append(1)
    xs[0] = 2
    return len(xs)


@flow
async def main() -> None:
    slow("x")


def helper(name: str) -> str:
    sleep(2.0)
    return name


@pure
def indirect(name: str) -> str:
    return helper(name)
