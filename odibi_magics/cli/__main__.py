from odibi_magics.cli import main

main()
