from deepslate import flow

BIG = 9223372036854775808


@flow
async def main() -> int:
    x = 123456789012345678901234567890
    y = -9223372036854775809
    return BIG
