from deepslate import flow, impure


@impure
def fine(name: str) -> None:
    print(f"{name["x"]}")


def broken(n: int) -> int:
    return n +


broken_value = (1, 2


@flow
async def main() -> int:
    fine("x")
    print(broken_value)
    return broken(1)
