# Judges signatures with the real cursive, its key manager replaced by the certificates that are given. Reads one JSON
# document {certificates: {uuid: PEM}, cases: [{image, properties, trusted?}]} and prints a list of {verdict, error, message}.
import json
import signal
import sys

import castellan.common.exception as castellan_exception
from castellan.common.objects import x_509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import serialization
from cryptography import x509
from cursive import certificate_utils, signature_utils

document = json.load(sys.stdin)


class KeyManager:
    def get(self, context, uuid):
        if uuid not in document['certificates']:
            raise castellan_exception.ManagedObjectNotFoundError(uuid=uuid)
        certificate = x509.load_pem_x509_certificate(document['certificates'][uuid].encode(), default_backend())
        return x_509.X509(certificate.public_bytes(serialization.Encoding.DER))


signature_utils.key_manager.API = KeyManager


def judge(case):
    properties = case['properties']
    verifier = signature_utils.get_verifier(
        None,
        properties.get('img_signature_certificate_uuid'),
        properties.get('img_signature_hash_method'),
        properties.get('img_signature'),
        properties.get('img_signature_key_type'),
    )
    if case.get('trusted'):
        certificate_utils.verify_certificate(None, properties['img_signature_certificate_uuid'], case['trusted'])
    with open(case['image'], 'rb') as image:
        while chunk := image.read(1 << 16):
            verifier.update(chunk)
    verifier.verify()


def stop(*_):
    raise RuntimeError('HANG: did not end within 5 s')


signal.signal(signal.SIGALRM, stop)
answers = []
for case in document['cases']:
    signal.alarm(5)
    try:
        judge(case)
        answers.append({'verdict': 'accept'})
    except Exception as error:
        kind = type(error)
        answers.append({'verdict': 'reject', 'error': f'{kind.__module__}.{kind.__name__}', 'message': str(error)})
    signal.alarm(0)
json.dump(answers, sys.stdout)
