from deepslate import flow


@flow
async def fetch(numbers: list[int]) -> int:
    numbers[0:1] += [4]
    return len(numbers)
