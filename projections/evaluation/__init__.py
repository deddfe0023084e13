"""The calculator: what any policy makes of any facts, exactly, with bounds where the facts are bounds.

`timeline` turns windows and measurements into seconds that count, `figures` these into an availability or a value per
commitment, `amounts` the tiers it allows into sums of money and days of service.
"""
