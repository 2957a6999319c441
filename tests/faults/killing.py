"""Who dies, and when: 50 workers and doors, PostgreSQL five times, the supervisor twice, in an order that a seed fixes."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg

WORKERS_AND_DOORS, POSTMASTERS, SUPERVISORS = 50, 5, 2
ORPHANED = 1.5  # seconds that children go on without a supervisor
WHERE = {"door": "door", "worker": "worker"}


@dataclass
class Killer:
    """`run` works the list off, evenly over `seconds`; a victim that is down just then is waited for."""

    house: object
    seconds: float
    dice: random.Random
    killed: Counter = field(default_factory=Counter)
    uncertain_by: list[int] = field(default_factory=list)
    down: float = 0.0  # seconds without a supervisor
    log: list[str] = field(default_factory=list)

    def plan(self):
        """Victims with supervisors and postmasters spread among the others, none of them at the very start."""
        plan = [self.dice.choice(("worker", "door")) for _ in range(WORKERS_AND_DOORS)]
        step = len(plan) // (POSTMASTERS + SUPERVISORS + 1)
        rare = ["postmaster"] * POSTMASTERS + ["supervisor"] * SUPERVISORS
        self.dice.shuffle(rare)
        for n, victim in enumerate(rare):
            plan.insert((n + 1) * (step + 1), victim)
        return plan

    async def run(self):
        plan = self.plan()
        began, pause = time.monotonic(), self.seconds / len(plan)
        for n, victim in enumerate(plan):
            at = began + (n + self.dice.random()) * pause
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            await (self.supervisor() if victim == "supervisor" else self.kill(victim))
            self.killed[victim] += 1
            self.log.append(f"{time.monotonic() - began:.1f} {victim}")
        return time.monotonic() - began

    async def kill(self, victim):
        os.kill(await self.find(victim), signal.SIGKILL)

    async def find(self, victim):
        """A live process of that kind, chosen at random."""
        while True:
            self.house.check()
            if victim == "postmaster":
                pid = self.house.postmaster()
                if pid and self.answers():  # not one that is still starting: this one has work to lose
                    return pid
            elif found := list(self.house.pids(victim).values()):
                return self.dice.choice(found)
            await asyncio.sleep(0.05)

    def answers(self):
        try:
            return bool(self.house.rows("SELECT 1"))
        except psycopg.Error:
            return False

    async def supervisor(self):
        """Killed, its children left alone for a while, then started again."""
        began = time.monotonic()
        self.house.kill_supervisor()
        await asyncio.sleep(ORPHANED)
        self.house.up()
        async with asyncio.timeout(60):
            while not self.house.cleared():  # from then on whoever is killed is a new one, be it still starting
                self.house.check()
                await asyncio.sleep(0.05)
        self.down += time.monotonic() - began
