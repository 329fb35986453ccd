import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.TELECMI_SECRET);

const server = createServer(async (request, response) => {
  try {
    const body = Buffer.concat(await request.toArray());
    const event = webhook.verify(body, request.headers);
    console.log(`verified ${request.headers['webhook-id']} ${event.type}`);
    response.writeHead(204).end(); // Before this: store the id; if it is there already, the work is done.
  } catch (error) {
    console.log(`refused: ${error.message}`);
    response.writeHead(401).end();
  }
});

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
