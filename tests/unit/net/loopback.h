// What socket tests share: a connected pair of sockets, certificates made on the spot, and a worker turned by
// hand until something has come true.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "net/listen.h"
#include "net/worker.h"

namespace holdfast::testing {

// A connected, non-blocking descriptor as the worker's socket.
inline net::Socket asio_socket(net::Worker& worker, net::Descriptor descriptor) {
  ::fcntl(descriptor.fd(), F_SETFL, O_NONBLOCK);
  net::Socket socket(worker.io());
  socket.assign(boost::asio::ip::tcp::v4(), descriptor.release());
  return socket;
}

// Turns the worker for that long at most: until something was done.
inline void turn_once(net::Worker& worker, std::chrono::milliseconds at_most) {
  worker.io().restart();
  // A loop without work does not wait.
  if (worker.io().run_one_for(at_most) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  worker.io().poll();
}

// Whether the kernel looks after a peer that is silent for a minute.
inline bool is_kept_alive(int fd) {
  int on = 0;
  int seconds = 0;
  socklen_t size = sizeof(int);
  ::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
  ::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &size);
  return on == 1 && seconds == 60;
}

// Over TCP on loopback, both ends non-blocking. `buffer`: the send and receive buffers' size, where small
// ones are wanted.
inline std::pair<net::Socket, net::Socket> connected_pair(net::Worker& worker, int buffer = 0) {
  auto listening = net::open_listening_sockets({"127.0.0.1", 0}, 1);
  EXPECT_TRUE(listening.has_value());
  const net::Endpoint address = net::local_endpoint(listening->front());
  net::Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (buffer > 0) {
    ::setsockopt(client.fd(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    ::setsockopt(listening->front().fd(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    ::setsockopt(listening->front().fd(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
  }
  EXPECT_EQ(::connect(client.fd(), address.address(), address.size()), 0);
  net::Descriptor server(::accept4(listening->front().fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(server);
  return {asio_socket(worker, std::move(server)), asio_socket(worker, std::move(client))};
}

// Turns `worker` until `done`, at most five seconds; says whether it came true.
inline bool turn_until(net::Worker& worker, const std::function<bool()>& done,
                       std::chrono::milliseconds limit = std::chrono::seconds(5)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    turn_once(worker, std::chrono::milliseconds(10));
  }
  return true;
}

// A self-signed certificate with its key in a folder of its own, gone with the object.
class TestCertificate {
 public:
  // `names`: a subjectAltName in OpenSSL's words, "DNS:a.example,IP:127.0.0.1".
  explicit TestCertificate(const std::string& names) {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const leaf = X509_new();
    X509_set_version(leaf, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1);
    X509_gmtime_adj(X509_getm_notBefore(leaf), -3600);
    X509_gmtime_adj(X509_getm_notAfter(leaf), 24 * 3600);
    X509_set_pubkey(leaf, key);
    X509_NAME* const subject = X509_get_subject_name(leaf);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("not a name"), -1, -1, 0);
    X509_set_issuer_name(leaf, subject);
    X509_EXTENSION* const san = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(leaf, san, -1);
    X509_EXTENSION_free(san);
    X509_sign(leaf, key, EVP_sha256());
    write(certificate(), [&](FILE* file) { PEM_write_X509(file, leaf); });
    write(this->key(),
          [&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(leaf);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() { std::filesystem::remove_all(folder_); }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  [[nodiscard]] std::string certificate() const { return folder_ + "/tls.crt"; }
  [[nodiscard]] std::string key() const { return folder_ + "/tls.key"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  template <typename Write>
  static void write(const std::string& path, Write content) {
    FILE* const file = std::fopen(path.c_str(), "w");
    content(file);
    std::fclose(file);
  }
  std::string folder_;
};

}  // namespace holdfast::testing
