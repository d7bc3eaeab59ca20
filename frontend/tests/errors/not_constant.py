import os

from deepslate import flow

HOME = os.environ["HOME"]
names = ["a", os.sep]
count = 0
count = count + 1
HUGE = 2**64


@flow
async def main() -> str:
    print(names[0], count, HUGE)
    return HOME
