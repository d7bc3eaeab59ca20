from deepslate import flow


@flow
async def everything(n: int) -> int:
    try:
        n = n + 1
    except ValueError:
        n = 0
    with open("file") as f:
        pass
    square = lambda x: x * x
    global counter
    import json
    def inner() -> int:
        return 1
    return n
