"""Services that are containers: the engine, its images, one service, and what killed runs left."""
