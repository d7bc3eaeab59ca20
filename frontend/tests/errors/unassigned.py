from deepslate import flow


@flow
async def pick(n: int) -> int:
    result: int
    if n > 3:
        result = 1
        bonus = 5
    for i in range(n):
        last = i
    print(later)
    later = 1
    return result + bonus + last
