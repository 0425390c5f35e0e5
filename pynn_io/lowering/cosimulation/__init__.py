"""One network as several that simulators run side by side: who runs what, what crosses, when spikes are exchanged.

Pure, as the rest of `pynn_io.lowering`: `placement` reads what the user asked for, `epochs` says how often parts meet,
`shares` makes the network and the plan of each part.
"""
