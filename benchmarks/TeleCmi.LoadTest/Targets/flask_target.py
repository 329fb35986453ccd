# The receiver that TeleCMI's documentation shows, on a port of the load test's choosing and without the debugger's
# reloader, which would be a second process.
import sys

from flask import Flask, request

app = Flask(__name__)


@app.route("/webhook/cdr", methods=["POST"])
def hello():
    cdr = request.get_json()
    print(cdr)
    return "got it"


print(f"ready http://127.0.0.1:{sys.argv[1]}/webhook/cdr", flush=True)
app.run(debug=True, use_reloader=False, port=int(sys.argv[1]))
