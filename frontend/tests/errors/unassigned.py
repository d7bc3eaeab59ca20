from deepslate import flow


@flow
async def pick(n: int) -> int:
    result: int
    if n > 3:
        bonus = 5
        del bonus
    else:
        for i in range(n):
            print(later)
    print(later)
    later = 1
    return result + bonus
