"""Benchmarks: paired, interleaved runs against hand-written peers, answers compared before times are believed."""
