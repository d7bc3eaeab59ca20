from deepslate import flow


def pair() -> tuple[int, int]:
    return 1, 2


@flow
async def main(xs: list[int]) -> int:
    a, b, c = pair()
    first, second = xs
    for i, x in xs:
        pass
    return a
