// The program: its command line is cli's, what `run` does is assembly's.
#include "assembly.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  return holdfast::cli::main(argc, argv, holdfast::serve);
}
