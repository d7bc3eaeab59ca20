from deepslate import flow


@flow
async def greet(name: str) -> str:
    return "hello + name
