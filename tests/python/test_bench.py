"""The benchmark's own logic, with programs that only pretend: python tests/python/test_bench.py"""

import contextlib
import io
import json
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import machine  # noqa: E402
import neighbours  # noqa: E402
import records  # noqa: E402
import report  # noqa: E402
from compare import arguments  # noqa: E402
from session import Session  # noqa: E402
from statistic import Results  # noqa: E402

PROGRAM = """#!/usr/bin/env python3
import json, os, sys, time
time.sleep({seconds})
print(json.dumps({{"load": 1, "first": 2, "process": 3, "steady": {steady}, "output": {output}, "digest": "{digest}", "rate": 5,
    "steady_peer": 5, "ratio": {steady} / 5, "ratios": [0.7, 0.8, 0.9], "calls": 30, "equal": {equal}, "arguments": sys.argv[1:], "omp": os.environ.get("OMP_NUM_THREADS")}}))
sys.exit({status})
"""


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.results = self.folder / "results.jsonl"
        self.made = [".pt2"]
        for name in ("libpt2", "nativert", "aoti"):
            self.program(name)
        self.enterContext(mock.patch.object(machine, "can_import", lambda *_: True))
        self.enterContext(mock.patch.object(machine, "describe", lambda device: f"a machine with {device}"))
        # Rounds that other processes disturb do not count: on a shared machine, the results would depend on its load.
        self.others = self.enterContext(mock.patch.object(neighbours.Watch, "others", return_value=0.0))
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def program(self, name, seconds=0, steady=4, output="[1, 2, 3, 4]", digest="01", status=0, equal=True):
        path = self.folder / name
        given = {"seconds": seconds, "steady": steady, "output": output, "digest": digest, "status": status, "equal": equal}
        path.write_text(PROGRAM.format(**given))
        path.chmod(0o755)

    def session(self, *words):
        """The measurements that are missing afterwards."""
        given = {"--programs": self.folder, "--work": self.folder, "--packages": self.folder, "--results": self.results,
                 "--cases": "resnet18", "--batches": "8", "--rounds": "2", "--grace": "0"}  # fmt: skip
        base = ["--runners", "libpt2-fast", "nativert", "--threads"]
        options = arguments([*base, *(str(word) for pair in given.items() for word in pair), *map(str, words)])
        for device in ("cpu", "cuda1"):
            for suffix in self.made:
                (self.folder / f"resnet18-float32-{device}{suffix}").touch()
        return Session(options).run()

    def rows(self):
        return records.read([self.results])

    def test_rounds_take_turns(self):
        self.assertEqual(self.session(), 0)
        self.assertEqual([row["runner"] for row in self.rows()], ["libpt2-fast", "nativert"] * 2)

    def test_nothing_begins_after_the_time_limit_and_resuming_takes_the_rest(self):
        self.program("nativert", seconds=1)
        start = time.monotonic()
        self.assertGreater(self.session("--time-limit", 1.5), 0)
        self.assertLess(time.monotonic() - start, 6)
        self.assertLess(len(self.rows()), 4)
        self.assertEqual(self.session(), 0)
        self.assertEqual(len(self.rows()), 4)

    def test_what_is_stopped_by_the_time_limit_is_no_failure(self):
        self.program("libpt2", seconds=60)
        self.assertEqual(self.session("--time-limit", 0.5), 2)
        self.assertEqual(self.rows(), [])

    def test_a_process_that_outlasts_its_own_limit_is_one(self):
        self.program("libpt2", seconds=60)
        self.assertEqual(self.session("--limit", 0.5, "--rounds", 1), 0)
        self.assertEqual(self.rows()[0]["failed"], "no end after 0 s")
        self.assertIn("failed: no end after", report.markdown(self.rows()))

    def test_earlier_results_need_no_repetition(self):
        self.session("--rounds", 1)
        earlier = self.results.rename(self.folder / "earlier.jsonl")
        self.assertEqual(self.session("--earlier", earlier), 0)
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual({row["rounds"] for row in report.summary(records.read([earlier, self.results]))}, {2})

    def test_half_a_line_is_passed_over(self):
        self.session()
        self.results.write_text(self.results.read_text()[:-30])
        self.assertEqual(len(self.rows()), 3)

    def test_the_device_and_the_sizes_reach_the_program(self):
        self.session("--device", "cuda:1", "--rounds", 1)
        modes = {row["mode"]: row["arguments"] for row in self.rows() if row["runner"] == "libpt2-fast"}
        self.assertEqual(set(modes), {"latency", "start"})
        self.assertEqual(modes["start"][:3], [str(self.folder / "resnet18-float32-cuda1.pt2"), "cuda:1", "start"])
        self.assertEqual(modes["latency"][3:5], ["--input", "float32:8x3x128x128"])

    def test_callers_share_the_cores_of_a_cpu(self):
        self.session("--threads", 1, 64, "--rounds", 1)
        cores = {row["threads"]: row["omp"] for row in self.rows() if row["mode"] == "throughput"}
        self.assertEqual(cores[64], "1")
        self.assertGreaterEqual(int(cores[1]), 1)

    def test_a_compiler_is_measured_cold_once_and_then_warm(self):
        with mock.patch.object(Session, "measured", lambda *_: {"load": 1.0, "first": 2.0, "process": 3.0, "steady": 4.0}):
            self.assertEqual(self.session("--runners", "compile"), 0)
        self.assertEqual([row["cache"] for row in self.rows()], ["cold", "warm", "warm"])

    def test_what_cannot_be_prepared_is_tried_once_and_says_why(self):
        self.assertEqual(self.session("--runners", "aoti"), 0)
        prepared = [row for row in self.rows() if row["mode"] == "prepare"]
        self.assertEqual(len(prepared), 1)
        self.assertTrue(all(row["failed"].startswith("aoti: ") for row in self.rows() if row["mode"] != "prepare"))

    def test_a_runner_with_other_outputs_is_no_peer(self):
        self.program("nativert", steady=0.001, output="[4, 3, 2, 1]")
        self.session("--runners", "libpt2-exact", "nativert")
        text = report.markdown(self.rows())
        self.assertIn("nativert (C++) — **other outputs**", text)
        self.assertNotIn("0 (nativert", text)

    def test_both_loaders_of_a_package_are_compared_by_the_bits_of_whole_outputs(self):
        self.made.append(".aoti.pt2")
        self.session("--runners", "libpt2-aoti", "--batches", 4, 8)
        self.assertNotIn("bit-equal", report.markdown(self.rows()))
        self.session("--runners", "aoti", "--batches", 4)
        self.program("aoti", digest="02")
        self.session("--runners", "aoti", "--batches", 8)
        pair = "libpt2, AOTInductor's package and AOTInductor (C++)"
        self.assertIn(f"of {pair} are bit-equal at batch 4; they **differ** at batch 8.", report.markdown(self.rows()))
        self.assertEqual({row["digest"] for row in self.rows() if row["batch"] == 8}, {"01", "02"})

    def test_both_loaders_in_one_process_take_turns_with_each_alone(self):
        self.made.append(".aoti.pt2")
        self.program("pair")
        words = ("--preset", "packages", "--runners", "libpt2-aoti", "aoti", "pair", "--pair-repeat", 70)
        self.assertEqual(self.session(*words), 0)
        modes = [("libpt2-aoti", "latency"), ("aoti", "latency"), ("pair", "pair")]
        self.assertEqual([(row["runner"], row["mode"]) for row in self.rows()], modes * 2)
        given = {row["runner"]: row["arguments"] for row in self.rows()}
        self.assertIn("70", given["pair"])
        self.assertNotIn("70", given["aoti"])
        text = report.markdown(self.rows())
        row = "| 4.00 | 5.00 | 0.800 (0.800–0.800) | 0.800 (0.725–0.875) | 2, 60 | bit-equal |"
        self.assertIn(f"| 8 | libpt2 and PyTorch's loader {row}", text)
        self.assertIn("| 8 | load + first | 3.00 (3.00–3.00) | 3.00 (3.00–3.00) | 1.000 (1.000–1.000) | 2, 2 |", text)
        self.program("pair", equal=False)
        self.session(*words, "--rounds", 3, "--resume")
        self.assertIn("| 3, 90 | **differ** |", report.markdown(self.rows()))

    def test_only_who_can_take_turns_in_one_process_does(self):
        self.assertEqual(self.session("--modes", "pair"), 0)
        self.assertEqual(self.rows(), [])

    def test_a_failing_program_gives_its_last_words(self):
        self.program("libpt2", status=3)
        self.session()
        self.assertEqual(self.rows()[0]["failed"], "exit status 3")

    def test_tables_go_between_their_marks(self):
        document = self.folder / "document.md"
        document.write_text("before <!-- bench:x -->old<!-- /bench:x --> after")
        report.put_into(document, "x", "new")
        self.assertEqual(document.read_text(), "before <!-- bench:x -->\nnew<!-- /bench:x --> after")

    def test_disturbed_rounds_count_only_where_there_are_no_others(self):
        row = {"mode": "latency", "runner": "nativert"}
        noisy, quiet = row | {"steady": 9.0, "others": 1.0}, row | {"steady": 4.0, "others": 0.0}
        self.assertEqual(Results([noisy, quiet]).values(records.key(row), "steady"), [4.0])
        self.assertEqual(Results([noisy]).values(records.key(row), "steady"), [9.0])
        self.assertEqual(Results([noisy]).disturbed(), (1, 1))

    def test_a_round_that_another_process_disturbs_is_recorded_and_not_counted(self):
        self.others.side_effect = [1.0, 0.0]
        self.session("--runners", "libpt2-fast")
        self.assertEqual([row["others"] for row in self.rows()], [1.0, 0.0])
        self.assertEqual([row["rounds"] for row in report.summary(self.rows())], [1])

    def test_builds_that_were_mixed_are_named(self):
        self.session("--rounds", 1)
        (self.folder / "libpt2.so.0").write_bytes(b"another")
        self.session()
        self.assertIn("Of 2 builds of libpt2", report.markdown(self.rows()))

    def test_every_measurement_is_in_the_summary(self):
        self.session()
        self.assertEqual(json.dumps(report.summary(self.rows())).count('"steady": 4'), 2)


if __name__ == "__main__":
    unittest.main()
