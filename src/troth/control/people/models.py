"""Humans signing in: what Django's and allauth's user is: one row an account, made by the database, read here."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.db import connection, models

if TYPE_CHECKING:
    from uuid import UUID


class Login(AbstractBaseUser):
    """`email` is `<blind index>@people.invalid`; nobody writes this row but the database's own functions."""

    account_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True)
    email: "models.TextField[str, str]" = models.TextField()
    password: "models.TextField[str, str]" = models.TextField()
    last_login = None  # the ledger tells when somebody signed in

    objects: ClassVar[BaseUserManager["Login"]] = BaseUserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """Made by SQL; Django knows it for reading."""

        db_table = "login"

    def __str__(self) -> str:
        return str(self.account_id)

    def check_password(self, raw_password: str | None) -> bool:
        """Without Django's setter, which would write the hash anew when its costs have changed."""
        return check_password(raw_password, self.password)

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django's is a plain attribute; ours asks the account
        with connection.cursor() as cursor:
            cursor.execute("SELECT active FROM troth.login_view_v1(%s, NULL)", [self.account_id])
            row: tuple[Any, ...] | None = cursor.fetchone()
        return bool(row and row[0])
