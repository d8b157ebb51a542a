"""One run of the benchmark: takes the measurements that are still missing, until all are there or time is up."""

import json
import time
from datetime import datetime, timezone

import machine
import neighbours
import prepare
import processes
import records
from plan import Measurement, one_round
from runners import RUNNERS


class Session:
    def __init__(self, options):
        self.options = options
        self.end = time.monotonic() + options.time_limit
        self.machine = machine.describe(options.device)
        self.build = machine.build_of(options.programs)
        self.known = records.read([options.results, *options.earlier])
        self.done = records.counts(self.known)

    def run(self):
        """The number of measurements that are missing."""
        self.options.runners = [name for name in self.options.runners if self.available(name)]
        try:
            for number in range(self.options.rounds):
                for measurement in one_round(self.options):
                    self.take(measurement, number)
        except processes.OutOfTime:
            print(f"Time is up after {self.options.time_limit:.0f} s.", flush=True)
        return sum(self.missing(m, self.options.rounds - 1) for m in one_round(self.options))

    def available(self, name):
        package = RUNNERS[name].needs
        if machine.can_import(package, processes.python_path(self.options)):
            return True
        print(f"{RUNNERS[name].label} is left out: this Python has no package {package} (bench/README.md).", flush=True)
        return False

    def missing(self, measurement, number):
        """What a compiler has in its cache is measured warm; the run that fills the cache is the cold one."""
        warm = measurement.with_cache("warm") if RUNNERS[measurement.runner].compiles else measurement
        return self.done[records.key(warm.record(self.machine))] <= number

    def take(self, measurement, number):
        if not self.missing(measurement, number):
            return
        failed = self.prepared(measurement)
        if failed:
            return self.keep(measurement, {"failed": failed})
        if not RUNNERS[measurement.runner].compiles:
            return self.keep(measurement, self.measured(measurement))
        mark = processes.cache(measurement, self.options) / "warm"
        if not mark.exists():
            self.keep(measurement.with_cache("cold"), self.measured(measurement))
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        self.keep(measurement.with_cache("warm"), self.measured(measurement))

    def keep(self, measurement, result):
        about = {"time": datetime.now(timezone.utc).isoformat(timespec="seconds"), "build": self.build}
        record = measurement.record(self.machine) | about | result
        records.append(self.options.results, record)
        self.known.append(record)
        self.done[records.key(record)] += 1
        shown = {name: result[name] for name in ("load", "first", "process", "steady", "ratio", "rate", "failed") if name in result}
        shown = {name: round(value, 3) if isinstance(value, float) else value for name, value in shown.items()}
        name = f"{measurement.runner} {measurement.cache}".strip()
        print(f"{measurement.case} {measurement.dtype} {measurement.mode} batch {measurement.batch}"
              f" threads {measurement.threads}, {name}: {shown}", flush=True)  # fmt: skip

    def prepared(self, measurement):
        """Makes what the runner loads; why that failed, if it did, also in an earlier run."""
        reads = RUNNERS[measurement.runner].reads
        for step in dict.fromkeys(["archive", reads]):
            about = (step, measurement.case, measurement.dtype, measurement.device, self.options.work)
            made = Measurement(*about[1:4], step, "prepare", 0)
            if prepare.path_of(*about).exists():
                continue
            if not self.done[records.key(made.record(self.machine))]:
                self.options.work.mkdir(parents=True, exist_ok=True)
                start, variables = time.monotonic(), processes.environment(measurement, self.options)
                _, why = self.ended(prepare.command(*about), variables)
                self.keep(made, {"seconds": time.monotonic() - start} | ({"failed": why} if why else {}))
            if not prepare.path_of(*about).exists():
                return f"{step}: {self.reason(made)}"
        return None

    def reason(self, made):
        known = [record for record in self.known if records.key(record) == records.key(made.record(self.machine))]
        return known[-1].get("failed", "what it made is gone")

    def measured(self, measurement):
        neighbours.wait_for_calm(self.options.calm)
        watch = neighbours.Watch()
        variables = processes.environment(measurement, self.options)
        printed, why = self.ended(processes.command(measurement, self.options), variables)
        others = {"others": watch.others()}
        return {"failed": why} if why else json.loads(printed.strip().splitlines()[-1]) | others

    def ended(self, command, environment):
        left = self.end - time.monotonic()
        return processes.ended(command, environment, left, self.options.grace, self.options.limit)
