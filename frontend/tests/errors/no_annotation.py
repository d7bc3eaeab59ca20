from deepslate import flow, impure, pure


@impure
def insert(name) -> None:
    print(name)


@pure
def double(x):
    return x * 2


@flow
async def main(limit) -> None:
    insert("x")
