// Throw-away certificates for 127.0.0.1, made on the spot.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace syncline::http::testing {

class CertificateFolder {
public:
    CertificateFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "syncline-tls-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("mkdtemp");
        }
        folder_ = pattern;
    }
    CertificateFolder(const CertificateFolder&) = delete;
    CertificateFolder& operator=(const CertificateFolder&) = delete;
    ~CertificateFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string certificate() const { return folder_ + "/tls.crt"; }
    [[nodiscard]] std::string key() const { return folder_ + "/tls.key"; }

    // A new self-signed pair; `host` is what it is valid for. Each file is replaced as a whole.
    void renew(const std::string& host = "IP:127.0.0.1") const {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
        static int serial = 1;
        X509_set_version(x509.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(x509.get()), 86'400);
        X509_set_pubkey(x509.get(), pair.get());
        auto* const name = X509_get_subject_name(x509.get());
        const std::string common = "syncline test " + std::to_string(serial);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
        X509_set_issuer_name(x509.get(), name);
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x509.get(), x509.get(), nullptr, nullptr, 0);
        add(x509.get(), context, NID_subject_alt_name, host);
        add(x509.get(), context, NID_basic_constraints, "critical,CA:TRUE");
        X509_sign(x509.get(), pair.get(), EVP_sha256());

        write(certificate(), [&](std::FILE* file) { return PEM_write_X509(file, x509.get()); });
        write(key(),
              [&](std::FILE* file) { return PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }

private:
    static void add(X509* x509, X509V3_CTX& context, int nid, const std::string& value) {
        const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
        X509_add_ext(x509, extension.get(), -1);
    }
    template <typename Print>
    static void write(const std::string& path, Print&& print) {
        const auto fresh = path + ".new";
        std::FILE* const file = std::fopen(fresh.c_str(), "w");
        if (file == nullptr || print(file) != 1 || std::fclose(file) != 0) {
            throw std::runtime_error("cannot write " + fresh);
        }
        std::filesystem::rename(fresh, path);
    }

    std::string folder_;
};

}  // namespace syncline::http::testing
