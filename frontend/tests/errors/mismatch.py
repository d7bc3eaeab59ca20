from deepslate import flow


def half(n: int) -> float:
    return n / 2


@flow
async def main(name: str, ids: list[int]) -> int:
    count: int = "3"
    count = half(4)
    ratio: float = name
    values: list[float] = ids
    mixed = [1, "two"]
    half("10")
    ids.append("x")
    ids["first"] = 1
    if name:
        return
    return name
