"""The shape of proof, pure: canonical JSON and leaves. Writers and verifiers share only this."""
