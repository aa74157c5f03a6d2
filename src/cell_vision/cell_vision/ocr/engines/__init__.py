"""OCR engines: their interface, models and checks."""

__all__ = ['base', 'model_check', 'model_files', 'model_import', 'paddle_models', 'registry']
