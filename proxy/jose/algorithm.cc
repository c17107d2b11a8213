// Algorithm names: see the header.
#include "jose/algorithm.h"

namespace holdfast::jose {

std::string AlgorithmSet::names() const {
  std::string names;
  for (const AlgorithmRow& row : kAlgorithms) {
    if (!contains(row.algorithm)) continue;
    if (!names.empty()) names.push_back(' ');
    names.append(row.name);
  }
  return names;
}

}  // namespace holdfast::jose
