import signal
import subprocess
import sys

NODE = """
from cell_common.runner import run_node
from rclpy.node import Node
from rclpy.task import Future

class Waiting(Node):
    def __init__(self):
        super().__init__('waiting')
        self.create_timer(0.01, self.wait)

    async def wait(self):
        print('waits', flush=True)
        await Future(executor=self.executor)

raise SystemExit(run_node(Waiting))
"""
LONGEST_S = 20.0


def test_a_callback_that_waits_forever_does_not_delay_the_shutdown(domain, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    with subprocess.Popen([sys.executable, '-c', NODE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'waits\n'
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(LONGEST_S) == 0
        finally:
            process.kill()
