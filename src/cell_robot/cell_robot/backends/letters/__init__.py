"""Backend `letters`: a UR program that receives one letter per trigger over TCP."""
