"""Plain functions, called in the VM without a store.

    deepslate call examples/primes.py:count_primes --args '[1000]'
    deepslate bench examples/primes.py --entry count_primes --arg 100000
"""


def is_prime(n: int) -> bool:
    if n < 2:
        return False
    divisor: int = 2
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor = divisor + 1
    return True


def count_primes(limit: int) -> int:
    count: int = 0
    for n in range(limit):
        if is_prime(n):
            count = count + 1
    return count
