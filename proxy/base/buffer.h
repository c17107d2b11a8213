// What strings and vectors do not do by themselves: give their memory back. clear() keeps it, and so does `=
// {}`; ten thousand idle connections must not each keep the largest message that they ever carried. Pure; any
// thread.
#pragma once

namespace holdfast {

template <typename Buffer>
void release_memory(Buffer& buffer) {
  Buffer().swap(buffer);
}

}  // namespace holdfast
