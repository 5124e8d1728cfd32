# Greets whoever is named, or the world.
greet() {
    echo "Hello, ${1:-World}!"
}
