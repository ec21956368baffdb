"""The servers under test: this one behind each of its doors, the floors, and the peers."""

from bench.peers import bentoml, hello, kserve, litserve, mlflow, mlserver, ours, sample
from bench.peers.peer import Peer

OURS = (ours.LEAN, ours.FLASK)
FLOORS = (hello.LEAN, hello.FLASK)
PEERS = (kserve.PEER, litserve.PEER, bentoml.PEER, mlserver.PEER, mlflow.PEER, sample.PEER)
SERVERS: dict[str, Peer] = {peer.name: peer for peer in (*OURS, *FLOORS, *PEERS)}
