"""The rules of NAME, asked natively: `PYTHONPATH=.:bindings python3 -m unittest`."""

import unittest

from perennial import DAY, Calendar, Resource, Term, TermUnit
from rules import Rules


class TestRules(unittest.TestCase):
    def test_a_server_without_auto_renew_has_three_days(self):
        server = Resource("server", 30 * DAY)
        instants = [at // DAY for at, _, _ in Rules().timeline(0, {}, [server])]
        self.assertEqual(instants, [30, 33])

    def test_a_short_month_keeps_the_anchor(self):
        january, february, march = 1_769_817_600, 1_772_236_800, 1_774_915_200
        monthly = Term(1, TermUnit.MONTH)
        self.assertEqual(Calendar(0).plus(january, 31, monthly), february)
        self.assertEqual(Calendar(0).plus(february, 31, monthly), march)


if __name__ == "__main__":
    unittest.main()
