"""Sample sets and the recipe kept with a model: pictures, arrays, CSV, random; preprocessing; labels."""
