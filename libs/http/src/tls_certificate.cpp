#include "src/tls_certificate.h"

#include <openssl/ssl.h>

#include <utility>

namespace syncline::http {

namespace ssl = boost::asio::ssl;

core::Result<std::unique_ptr<TlsCertificate>> TlsCertificate::load(const TlsOptions& options) {
    std::unique_ptr<TlsCertificate> certificate(new TlsCertificate(options));
    certificate->seen_ = certificate->stamps();
    auto context = certificate->read();
    if (!context) {
        return std::unexpected(context.error());
    }
    certificate->context_ = std::move(*context);
    return certificate;
}

std::shared_ptr<ssl::context> TlsCertificate::current() const {
    const std::lock_guard lock(mutex_);
    return context_;
}

void TlsCertificate::refresh() {
    const auto now = stamps();
    if (now == seen_) {
        return;
    }
    // Remembered before reading: a half-written pair is tried again when its next write changes the stamps.
    seen_ = now;
    auto context = read();
    if (!context) {
        errors_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const std::lock_guard lock(mutex_);
    context_ = std::move(*context);
    reloads_.fetch_add(1, std::memory_order_relaxed);
}

TlsCertificate::Stamp TlsCertificate::stamp_of(const std::string& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) {
        return {};
    }
    return {.inode = found.st_ino, .size = found.st_size, .seconds = found.st_mtim.tv_sec, .nanoseconds = found.st_mtim.tv_nsec};
}

core::Result<std::shared_ptr<ssl::context>> TlsCertificate::read() const {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    boost::system::error_code ec;
    context->use_certificate_chain_file(options_.certificate_file, ec);
    if (ec) {
        return core::fail(core::ErrorKind::rejected, "bad_certificate",
                          "certificate file " + options_.certificate_file + ": " + ec.message());
    }
    // Checks that the key belongs to the certificate, too.
    context->use_private_key_file(options_.key_file, ssl::context::pem, ec);
    if (ec) {
        return core::fail(core::ErrorKind::rejected, "bad_certificate", "key file " + options_.key_file + ": " + ec.message());
    }
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    // No renegotiation: a client could make the io thread do handshakes without end.
    SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
    return context;
}

}  // namespace syncline::http
