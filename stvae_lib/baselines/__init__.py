"""Methods that ST-VAE is compared with. Each is `method(content, styles, …) -> (image, history)`."""
