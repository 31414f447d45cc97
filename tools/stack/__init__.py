"""The local Syncline stack: Kafka, PostgreSQL, Prometheus, the sandbox systems and the services, as child processes.

Used by tools/dev (demo, up, run, test) and by the flow and chaos tests. One Stack lives in one folder, on ports found free,
and stops exactly the processes it started. See stack.Stack for the handles a test gets.
"""

from .helpdesk import Helpdesk
from .process import Process, free_port, wait_until
from .stack import Connection, Shop, Stack
from .stock import Stock

__all__ = ["Connection", "Helpdesk", "Process", "Shop", "Stack", "Stock", "free_port", "wait_until"]
