"""OCR engines: their interface, models and checks.

An engine runs in the worker process only. `registry` is the only module that imports one, when it
is asked for: their libraries are large, and an installation may lack two of three.
"""

__all__ = ['base', 'model_check', 'model_files', 'model_import', 'paddle_models', 'registry']
