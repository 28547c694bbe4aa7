"""Keep the promises of the ports, one technology per file, each with an in-memory twin.

controller   the CONTROL API over HTTP
runs         a run's folder: journal, snapshots, outcome; what earlier runs teach
plans        plans as files, and who has taken one
vault        secret values: where they come from, and the file that keeps them
machine      what processes of one machine share: leases, locks, the clock, the user
people       whom a run tells, and the orders that people leave for it
simulated    the model world behind the ports, in this process or as a server
memory       ports kept in memory
"""
