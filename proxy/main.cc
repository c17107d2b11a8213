// The program: its command line is cli's, what `run` does is assembly's.
#include <malloc.h>

#include "assembly.h"
#include "cli/command_line.h"
#include "reachability.h"
#include "recall.h"
#include "rehearsal/explanation.h"
#include "rehearsal/policy_cases.h"
#include "trial.h"

int main(int argc, char** argv) {
  // glibc sorts through all its fast bins whenever a kilobyte or more is asked for, and every request asks
  // for that. What small requests cost without them, its thread caches make up for.
  mallopt(M_MXFAST, 0);
  return holdfast::cli::main(argc, argv,
                             {.run = holdfast::serve,
                              .try_out = holdfast::try_out,
                              .reach = holdfast::reach,
                              .explain = holdfast::rehearsal::explain,
                              .recall = holdfast::recall,
                              .decide = holdfast::rehearsal::decide});
}
