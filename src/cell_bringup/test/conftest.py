from cell_common.testing import domain, graph, node_switch_interval
