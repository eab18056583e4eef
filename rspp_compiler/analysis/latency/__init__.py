"""Worst-case latency.

`latency`           the analysis
`clock`             where the clock of a party's turn starts
`figures`           what each node and edge adds to a way
`ways`              the slowest way to everything that is reached
`causes`            which reactions are fallbacks, fillers, or neither
`arrivals`          when a fallback begins, at the latest
`attempts`          the tries of a provider within its node's budget
`rests_on`          the assumptions behind a bound
`ways_out`          the smallest change that would make a path fit
`report_latency`    E0501 to E0505, E0508, E0509
`report_providers`  E0506, E0507
"""
