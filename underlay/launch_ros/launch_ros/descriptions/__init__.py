"""Descriptions of parameters."""

from launch._uncovered import refuse

from launch_ros.parameter_descriptions import Parameter, ParameterFile, ParameterValue

__all__ = ['Parameter', 'ParameterFile', 'ParameterValue']

__getattr__ = refuse(__name__, 'ComposableNode')
