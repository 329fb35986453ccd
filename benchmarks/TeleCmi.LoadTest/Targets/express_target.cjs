// The documentation's Flask receiver, in Express.
'use strict';

const express = require('express');

const app = express();
app.use(express.json());
app.post('/webhook/cdr', (request, response) => {
  console.log(request.body);
  response.send('got it');
});

const port = Number(process.argv[2]);
app.listen(port, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${port}/webhook/cdr`));
