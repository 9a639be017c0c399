"""What `perennial plugin build` makes a component of: the rules, under the names of the contract."""

from perennial import exports
from rules import Rules

globals().update(exports(Rules()))
