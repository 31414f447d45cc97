#include <sys/stat.h>

#include <syncline/kit/secret_file.h>
#include <catch2/catch_test_macros.hpp>

#include "tests/runtime/temp_folder.h"

using namespace syncline::kit;

TEST_CASE("secret file: a missing, an empty and an unset file are named as problems", "[kit]") {
    const TempFolder folder;
    folder.write("empty", "\n");
    const auto missing = SecretFile(folder.path("none")).check();
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == "secret_unreadable");
    CHECK(missing.error().message.find("/none") != std::string::npos);
    CHECK_FALSE(missing.error().hint.empty());
    CHECK_FALSE(SecretFile(folder.path("empty")).check());
    CHECK_FALSE(SecretFile().check());
    CHECK_FALSE(SecretFile().configured());
    CHECK(SecretFile(folder.path("none")).current().empty());
}

TEST_CASE("secret file: content comes without its newline and follows the file", "[kit]") {
    const TempFolder folder;
    folder.write("key", "first-secret\r\n");
    const SecretFile secret(folder.path("key"));
    const SecretFile copy = secret;
    CHECK(secret.check());
    CHECK(secret.current() == "first-secret");
    CHECK_FALSE(secret.refresh());
    folder.write("key", "second-secret\n");
    CHECK(secret.refresh());
    CHECK(secret.current() == "second-secret");
    CHECK(copy.current() == "second-secret");
}

TEST_CASE("secret file: a file that vanishes or is emptied keeps the last good content", "[kit]") {
    const TempFolder folder;
    folder.write("key", "kept-secret");
    const SecretFile secret(folder.path("key"));
    CHECK(secret.current() == "kept-secret");
    folder.overwrite("key", "");
    CHECK_FALSE(secret.refresh());
    CHECK(secret.current() == "kept-secret");
    std::filesystem::remove(folder.path("key"));
    CHECK_FALSE(secret.refresh());
    CHECK(secret.current() == "kept-secret");
    folder.write("key", "new-secret");
    CHECK(secret.refresh());
    CHECK(secret.current() == "new-secret");
}

TEST_CASE("secret file: a swapped symlink is a change", "[kit]") {
    const TempFolder folder;
    folder.write("v1/key", "old");
    folder.write("v2/key", "new");
    std::filesystem::create_symlink("v1", folder.path("..data"));
    std::filesystem::create_symlink("..data/key", folder.path("key"));
    const SecretFile secret(folder.path("key"));
    CHECK(secret.current() == "old");
    std::filesystem::create_symlink("v2", folder.path("..data_tmp"));
    std::filesystem::rename(folder.path("..data_tmp"), folder.path("..data"));
    CHECK(secret.refresh());
    CHECK(secret.current() == "new");
}

TEST_CASE("secret file: passwords in urls are masked", "[kit][unit]") {
    CHECK(mask_password("postgresql://app:s3cret@db:5432/x") == "postgresql://app:****@db:5432/x");
    CHECK(mask_password("postgresql://app:s3:c@ret@db/x?sslmode=require") == "postgresql://app:****@db/x?sslmode=require");
    CHECK(mask_password("postgresql://db:5432/x") == "postgresql://db:5432/x");
    CHECK(mask_password("host=db password=s3cret dbname=x") == "host=db password=**** dbname=x");
    CHECK(mask_password("host=db password='s3 cret' dbname=x") == "host=db password=**** dbname=x");
    CHECK(mask_password("postgresql://db/x?user=a&password=s3cret&sslmode=require") ==
          "postgresql://db/x?user=a&password=****&sslmode=require");
    CHECK(mask_password("nothing here").find("****") == std::string::npos);
}
